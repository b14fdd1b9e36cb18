-- Partitions 2: a cast of a key
SELECT year, count(*) AS lines FROM lineitem WHERE CAST(month AS varchar) = '3' GROUP BY year ORDER BY year;
