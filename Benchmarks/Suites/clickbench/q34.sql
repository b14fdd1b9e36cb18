-- Web log 34: most frequent long strings
SELECT Referer, count(*) AS hits FROM hits GROUP BY Referer ORDER BY hits DESC, Referer LIMIT 12;
