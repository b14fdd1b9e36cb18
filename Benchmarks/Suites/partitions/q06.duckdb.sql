-- DuckDB has no date_parse.
SELECT month, avg(l_tax) AS mean_tax
FROM lineitem
WHERE strptime(CAST(year AS varchar) || '-' || lpad(CAST(month AS varchar), 2, '0'), '%Y-%m') >= TIMESTAMP '1998-09-01 00:00:00'
GROUP BY month
ORDER BY month;
