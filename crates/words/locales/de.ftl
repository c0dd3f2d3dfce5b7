sms = { $code } ist Ihr Code für { $brand }. Er gilt { $minutes } Min. Geben Sie ihn nicht weiter.
warning-sms = { $brand }: zu viele Anmeldeanfragen, die Sie nicht bestätigt haben. Sind sie nicht von Ihnen, ändern Sie Ihr Passwort.
test-sms = Testnachricht von { $brand }. Sie müssen nichts tun.

voice = Hier ist { $brand }. Ihr Code lautet: { $code }. Noch einmal, Ihr Code lautet: { $code }. Auf Wiederhören.
keypad = Hier ist { $brand }. Bitte tippen Sie die sechs Ziffern ein, die Ihr Bildschirm zeigt, und drücken Sie dann die Rautetaste.
keypad-right = Hier ist { $brand }. Vielen Dank, die Ziffern stimmen. Auf Wiederhören.
keypad-wrong = Hier ist { $brand }. Das sind nicht die Ziffern auf Ihrem Bildschirm. Bitte beginnen Sie dort noch einmal. Auf Wiederhören.
keypad-late = Hier ist { $brand }. Für diese Ziffern ist es zu spät. Bitte beginnen Sie auf Ihrem Bildschirm noch einmal. Auf Wiederhören.

email-subject = Ihr Code für { $brand }
email-lead = Ihr Code für { $brand } lautet
email-life = { $minutes ->
    [one] Er gilt einmal und eine Minute lang.
   *[other] Er gilt einmal und { $minutes } Minuten lang.
}
email-caution = Wenn Sie ihn nicht angefordert haben, kennt vielleicht jemand Ihr Passwort: Ändern Sie es, und geben Sie diesen Code niemandem.
warning-subject = Anmeldungen bei { $brand }, die Sie nicht bestätigt haben
warning-lead = Jemand versucht immer wieder, sich in Ihrem Namen bei { $brand } anzumelden, und Sie haben das nicht bestätigt. Vorläufig werden keine weiteren Anfragen an Ihr Telefon gesendet.
warning-caution = Wenn Sie das nicht waren, kennt jemand Ihr Passwort: Ändern Sie es. Bestätigen Sie keine Anfrage, die Sie nicht selbst ausgelöst haben.
test-subject = Testnachricht von { $brand }
test-lead = Dies ist eine Testnachricht von { $brand }. Sie müssen nichts tun.

push = Melden Sie sich gerade bei { $brand } an?
push-number = Melden Sie sich gerade bei { $brand } an? Tippen Sie die Zahl ein, die Sie dort sehen.
