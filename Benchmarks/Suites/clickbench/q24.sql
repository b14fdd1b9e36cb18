-- Web log 24: all columns of the first rows that contain a word
SELECT * FROM hits WHERE URL LIKE '%job-doctor%' ORDER BY EventTime, WatchID LIMIT 12;
