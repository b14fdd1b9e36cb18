-- Micro 11: sort of a whole table behind an aggregate
SELECT max(position) AS positions, sum(CASE WHEN position % 1000 = 0 THEN l_orderkey ELSE 0 END) AS checksum
FROM (SELECT l_orderkey, row_number() OVER (ORDER BY l_extendedprice, l_orderkey, l_linenumber) AS position FROM lineitem);
