-- Web log 42: window sizes on one page
SELECT WindowClientWidth, WindowClientHeight, count(*) AS views
FROM hits
WHERE CounterID = 62 AND EventDate BETWEEN DATE '2013-07-03' AND DATE '2013-07-28' AND IsRefresh = 0 AND DontCountHits = 0
  AND URLHash = 2092789425003139053
GROUP BY WindowClientWidth, WindowClientHeight
ORDER BY views DESC, WindowClientWidth, WindowClientHeight
OFFSET 40 LIMIT 10;
