-- Micro 13: window over partitions
SELECT count(*) AS orders FROM (SELECT rank() OVER (PARTITION BY o_custkey ORDER BY o_totalprice DESC, o_orderkey) AS place FROM orders) WHERE place = 3;
