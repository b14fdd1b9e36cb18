-- CSV 2: count of all rows
SELECT count(*) AS lines FROM lineitem;
