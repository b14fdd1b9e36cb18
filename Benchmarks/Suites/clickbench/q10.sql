-- Web log 10: mixed aggregates and a distinct count by group
SELECT RegionID, sum(IsRefresh) AS refreshes, count(*) AS visits, avg(ResolutionHeight) AS height, count(DISTINCT FUniqID) AS browsers
FROM hits
GROUP BY RegionID
ORDER BY visits DESC, RegionID
LIMIT 10;
