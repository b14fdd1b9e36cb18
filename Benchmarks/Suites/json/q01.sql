-- JSON lines 1: one aggregate of a narrow projection under a filter
SELECT count(*) AS lines, sum(l_quantity) AS quantity FROM lineitem WHERE l_shipmode = 'AIR' AND l_discount > 0.05;
