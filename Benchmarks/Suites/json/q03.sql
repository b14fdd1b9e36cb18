-- JSON lines 3: grouping by a string
SELECT l_shipinstruct, l_linestatus, count(*) AS lines, avg(l_extendedprice) AS mean_price, max(l_receiptdate) AS last_receipt
FROM lineitem
GROUP BY l_shipinstruct, l_linestatus
ORDER BY l_shipinstruct, l_linestatus;
