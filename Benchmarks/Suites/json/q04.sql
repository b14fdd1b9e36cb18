-- JSON lines 4: all columns of few rows
SELECT * FROM lineitem WHERE l_partkey = 101010 ORDER BY l_orderkey, l_linenumber;
