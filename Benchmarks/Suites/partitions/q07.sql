-- Partitions 7: all columns of one partition's few rows
SELECT l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice, l_discount, l_tax, l_returnflag, l_linestatus, l_shipdate,
  l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode, l_comment, year, month
FROM lineitem WHERE year = 1996 AND month = 2 AND l_quantity = 50 ORDER BY l_extendedprice DESC, l_orderkey, l_linenumber LIMIT 10;
