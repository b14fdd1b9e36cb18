-- Partitions 4: only keys are asked for
SELECT year, count(*) AS lines FROM lineitem GROUP BY year ORDER BY year;
