-- Micro 02: filter on a dictionary-encoded text
SELECT count(*) AS lines, min(l_orderkey) AS first_order FROM lineitem WHERE l_shipmode IN ('AIR', 'RAIL') AND l_returnflag = 'R';
