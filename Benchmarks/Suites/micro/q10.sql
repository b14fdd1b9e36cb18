-- Micro 10: count of distinct values
SELECT count(DISTINCT l_suppkey) AS suppliers, count(DISTINCT l_comment) AS comments FROM lineitem;
