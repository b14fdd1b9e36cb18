-- Web log 32: unique keys under a filter
SELECT WatchID, RemoteIP, count(*) AS hits, sum(IsLink) AS links, avg(WindowClientWidth) AS width
FROM hits
WHERE SearchPhrase <> ''
GROUP BY WatchID, RemoteIP
ORDER BY hits DESC, WatchID, RemoteIP
LIMIT 10;
