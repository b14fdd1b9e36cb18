-- Web log 16: large grouping by a 64-bit key
SELECT FUniqID, count(*) AS hits FROM hits GROUP BY FUniqID ORDER BY hits DESC, FUniqID LIMIT 12;
