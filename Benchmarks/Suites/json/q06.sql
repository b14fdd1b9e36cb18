-- JSON lines 6: every column is touched
SELECT count(l_orderkey), max(l_suppkey), max(l_partkey), max(l_linenumber), max(l_quantity), max(l_extendedprice), min(l_discount),
  min(l_tax), min(l_returnflag), max(l_linestatus), max(l_shipdate), min(l_commitdate), max(l_receiptdate), min(l_shipinstruct), max(l_shipmode),
  max(length(l_comment))
FROM lineitem;
