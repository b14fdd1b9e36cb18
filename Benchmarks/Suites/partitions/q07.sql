-- Partitions 7: all columns of one partition's few rows
SELECT * FROM lineitem WHERE year = 1996 AND month = 2 AND l_quantity = 50 ORDER BY l_extendedprice DESC, l_orderkey, l_linenumber LIMIT 10;
