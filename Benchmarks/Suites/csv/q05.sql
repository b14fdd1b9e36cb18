-- CSV 5: join of two files, top-N
SELECT o_orderkey, o_orderpriority, o_totalprice, sum(l_quantity) AS quantity
FROM orders JOIN lineitem ON l_orderkey = o_orderkey
WHERE o_orderstatus = 'F' AND o_totalprice > 400000
GROUP BY o_orderkey, o_orderpriority, o_totalprice
ORDER BY quantity DESC, o_orderkey
LIMIT 20;
