-- Web log 21: substring search
SELECT count(*) AS hits FROM hits WHERE Referer LIKE '%ticket-hotel%';
