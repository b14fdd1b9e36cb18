-- Partitions 5: keys and a column
SELECT l_shipmode, sum(l_extendedprice * (1 - l_discount)) AS revenue
FROM lineitem
WHERE year IN (1993, 1997) AND month > 10 AND l_returnflag <> 'N'
GROUP BY l_shipmode
ORDER BY l_shipmode;
