-- JSON lines 5: grouping by month, from a date
SELECT date_trunc('month', CAST(o_orderdate AS date)) AS month, o_orderpriority, count(*) AS orders, sum(o_totalprice) AS total
FROM orders
WHERE CAST(o_orderdate AS date) >= DATE '1997-01-01'
GROUP BY 1, 2
ORDER BY month, o_orderpriority;
