-- Web log 39: one counter's links, a later page of the answer
SELECT URL, count(*) AS views
FROM hits
WHERE CounterID = 62 AND EventDate BETWEEN DATE '2013-07-03' AND DATE '2013-07-28' AND IsRefresh = 0 AND IsLink <> 0 AND IsDownload = 0
GROUP BY URL
ORDER BY views DESC, URL
OFFSET 500 LIMIT 10;
