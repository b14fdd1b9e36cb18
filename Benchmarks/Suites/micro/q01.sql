-- Micro 01: count with a selective integer filter
SELECT count(*) AS lines FROM lineitem WHERE l_partkey BETWEEN 1000 AND 1200;
