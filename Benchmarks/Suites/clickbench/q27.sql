-- Web log 27: top-N by time and a string
SELECT Title FROM hits WHERE Title <> '' ORDER BY ClientEventTime, Title LIMIT 12;
