-- Web log 19: grouping by a user, the hour and a string
SELECT UserID, extract(hour FROM ClientEventTime) AS hour, SearchPhrase, count(*) AS hits
FROM hits
GROUP BY UserID, extract(hour FROM ClientEventTime), SearchPhrase
ORDER BY hits DESC, UserID, hour, SearchPhrase
LIMIT 12;
