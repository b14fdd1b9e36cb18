-- Web log 8: filtered grouping by a small domain, all groups ordered
SELECT SocialSourceNetworkID, count(*) AS visits
FROM hits
WHERE SocialSourceNetworkID <> 0
GROUP BY SocialSourceNetworkID
ORDER BY visits DESC, SocialSourceNetworkID;
