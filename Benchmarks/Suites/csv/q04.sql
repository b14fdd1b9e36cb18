-- CSV 4: all columns of few rows
SELECT * FROM lineitem WHERE l_orderkey IN (7, 1000001, 5999975) OR l_comment LIKE 'special foxes%' ORDER BY l_orderkey, l_linenumber;
