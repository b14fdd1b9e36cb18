-- Web log 41: days and pages that one referer leads to
SELECT URLHash, EventDate, count(*) AS views
FROM hits
WHERE CounterID = 62 AND EventDate BETWEEN DATE '2013-07-03' AND DATE '2013-07-28' AND IsRefresh = 0
  AND TraficSourceID IN (-1, 3, 6) AND RefererHash = 7958955049054603978
GROUP BY URLHash, EventDate
ORDER BY views DESC, URLHash, EventDate
OFFSET 50 LIMIT 10;
