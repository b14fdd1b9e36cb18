-- Micro 14: dates: truncation and parts
SELECT date_trunc('month', l_shipdate) AS month, count(*) AS lines FROM lineitem WHERE extract(year FROM l_commitdate) = 1995 GROUP BY 1 ORDER BY 1;
