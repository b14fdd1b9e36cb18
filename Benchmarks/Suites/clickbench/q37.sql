-- Web log 37: one counter's pages
SELECT URL, count(*) AS views
FROM hits
WHERE CounterID = 17 AND EventDate BETWEEN DATE '2013-07-03' AND DATE '2013-07-28' AND DontCountHits = 0 AND IsRefresh = 0 AND URL <> ''
GROUP BY URL
ORDER BY views DESC, URL
LIMIT 10;
