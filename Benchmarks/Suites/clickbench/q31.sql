-- Web log 31: two integer keys under a filter, three aggregates
SELECT UserAgent, ClientIP, count(*) AS hits, sum(IsLink) AS links, avg(WindowClientWidth) AS width
FROM hits
WHERE SearchPhrase <> ''
GROUP BY UserAgent, ClientIP
ORDER BY hits DESC, UserAgent, ClientIP
LIMIT 10;
