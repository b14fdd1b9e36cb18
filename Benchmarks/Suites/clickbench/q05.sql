-- Web log 5: distinct 64-bit values
SELECT count(DISTINCT FUniqID) AS browsers FROM hits;
