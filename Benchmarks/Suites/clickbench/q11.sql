-- Web log 11: distinct users by a rare string
SELECT UTMCampaign, count(DISTINCT UserID) AS users
FROM hits
WHERE UTMCampaign <> ''
GROUP BY UTMCampaign
ORDER BY users DESC, UTMCampaign
LIMIT 10;
