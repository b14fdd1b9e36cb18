-- Web log 2: count under a selective integer filter
SELECT count(*) AS robots FROM hits WHERE Robotness <> 0;
