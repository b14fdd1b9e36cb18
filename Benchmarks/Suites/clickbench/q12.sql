-- Web log 12: distinct users by a small integer and a rare string
SELECT MobilePhone, MobilePhoneModel, count(DISTINCT ClientIP) AS addresses
FROM hits
WHERE MobilePhoneModel <> ''
GROUP BY MobilePhone, MobilePhoneModel
ORDER BY addresses DESC, MobilePhone, MobilePhoneModel
LIMIT 15;
