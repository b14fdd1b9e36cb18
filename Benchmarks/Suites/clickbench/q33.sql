-- Web log 33: unique keys over the whole table
SELECT WatchID, RemoteIP, count(*) AS hits, sum(IsLink) AS links, avg(WindowClientWidth) AS width
FROM hits
GROUP BY WatchID, RemoteIP
ORDER BY hits DESC, WatchID, RemoteIP
LIMIT 10;
