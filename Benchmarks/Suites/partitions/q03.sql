-- Partitions 3: arithmetic over both keys
SELECT year, month, count(*) AS lines, sum(l_quantity) AS quantity
FROM lineitem
WHERE year * 100 + month BETWEEN 199411 AND 199502
GROUP BY year, month
ORDER BY year, month;
