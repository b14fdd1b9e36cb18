-- Web log 36: keys that depend on each other
SELECT RemoteIP, RemoteIP + 1, RemoteIP + 2, RemoteIP + 3, count(*) AS hits
FROM hits
GROUP BY RemoteIP, RemoteIP + 1, RemoteIP + 2, RemoteIP + 3
ORDER BY hits DESC, RemoteIP
LIMIT 12;
