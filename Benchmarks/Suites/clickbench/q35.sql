-- Web log 35: a constant beside a long string key
SELECT 'page' AS kind, URL, count(*) AS hits FROM hits GROUP BY 1, URL ORDER BY hits DESC, URL LIMIT 12;
