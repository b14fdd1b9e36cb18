-- Web log 43: views by minute
SELECT date_trunc('minute', EventTime) AS minute, count(*) AS views
FROM hits
WHERE CounterID = 62 AND EventDate BETWEEN DATE '2013-07-10' AND DATE '2013-07-11' AND IsRefresh = 0 AND DontCountHits = 0
GROUP BY date_trunc('minute', EventTime)
ORDER BY date_trunc('minute', EventTime)
OFFSET 600 LIMIT 15;
