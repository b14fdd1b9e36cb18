-- Web log 40: traffic sources with a conditional key
SELECT TraficSourceID, SearchEngineID, AdvEngineID,
  CASE WHEN AdvEngineID = 0 AND SearchEngineID = 0 THEN Referer ELSE '' END AS source, URL AS target, count(*) AS views
FROM hits
WHERE CounterID = 62 AND EventDate BETWEEN DATE '2013-07-03' AND DATE '2013-07-28' AND IsRefresh = 0
GROUP BY TraficSourceID, SearchEngineID, AdvEngineID, CASE WHEN AdvEngineID = 0 AND SearchEngineID = 0 THEN Referer ELSE '' END, URL
ORDER BY views DESC, TraficSourceID, SearchEngineID, AdvEngineID, source, target
OFFSET 800 LIMIT 10;
