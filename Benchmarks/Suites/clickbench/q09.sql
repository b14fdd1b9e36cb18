-- Web log 9: distinct count by group, top 10
SELECT URLRegionID, count(DISTINCT UserID) AS users
FROM hits
GROUP BY URLRegionID
ORDER BY users DESC, URLRegionID
LIMIT 10;
