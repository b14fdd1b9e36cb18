-- Web log 38: one counter's titles
SELECT Title, count(*) AS views
FROM hits
WHERE CounterID = 17 AND EventDate BETWEEN DATE '2013-07-03' AND DATE '2013-07-28' AND DontCountHits = 0 AND IsRefresh = 0 AND Title <> ''
GROUP BY Title
ORDER BY views DESC, Title
LIMIT 10;
