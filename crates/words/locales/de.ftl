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
link-subject = Bestätigen Sie, dass Sie es sind: { $brand }
link-lead = Öffnen Sie diesen Link, um { $brand } zu bestätigen, dass Sie es sind
link-or = Oder öffnen Sie diesen Link und bestätigen Sie dort
link-button = Ansehen und bestätigen
link-life = { $minutes ->
    [one] Der Link gilt einmal und eine Minute lang.
   *[other] Der Link gilt einmal und { $minutes } Minuten lang.
}
link-caution = Wenn Sie ihn nicht angefordert haben, kennt vielleicht jemand Ihr Passwort: Ändern Sie es. Auf der Seite hinter dem Link können Sie sagen, dass Sie es nicht waren.
both-life = { $minutes ->
    [one] Beides gilt zusammen einmal und eine Minute lang.
   *[other] Beides gilt zusammen einmal und { $minutes } Minuten lang.
}
both-caution = Wenn Sie das nicht angefordert haben, kennt vielleicht jemand Ihr Passwort: Ändern Sie es, geben Sie diesen Code niemandem, und bestätigen Sie nichts.
warning-subject = Anmeldungen bei { $brand }, die Sie nicht bestätigt haben
warning-lead = Jemand versucht immer wieder, sich in Ihrem Namen bei { $brand } anzumelden, und Sie haben das nicht bestätigt. Vorläufig werden keine weiteren Anfragen an Ihr Telefon gesendet.
warning-caution = Wenn Sie das nicht waren, kennt jemand Ihr Passwort: Ändern Sie es. Bestätigen Sie keine Anfrage, die Sie nicht selbst ausgelöst haben.
test-subject = Testnachricht von { $brand }
test-lead = Dies ist eine Testnachricht von { $brand }. Sie müssen nichts tun.

push = Melden Sie sich gerade bei { $brand } an?
push-number = Melden Sie sich gerade bei { $brand } an? Tippen Sie die Zahl ein, die Sie dort sehen.

# Seiten. { $brand }, { $who } und andere Namen stehen abgesetzt vom Text um sie herum.
page-foot = { $brand } fragt nach einem zweiten Faktor, damit sich niemand allein mit Ihrem Passwort anmeldet.
page-continue = Weiter
page-minutes-ago = { $minutes ->
    [0] gerade eben ({ $clock })
    [one] vor einer Minute ({ $clock })
   *[other] vor { $minutes } Minuten ({ $clock })
}
page-minutes-left = { $minutes ->
    [one] noch eine Minute lang ({ $clock })
   *[other] noch { $minutes } Minuten lang ({ $clock })
}
page-link-title = Sind Sie das?
page-link-lead-login = Jemand meldet sich als { $who } an.
page-link-lead-enrolment = Jemand möchte dieses Postfach nutzen, um sich als { $who } anzumelden.
page-link-client = Wo
page-link-account = Konto
page-link-from = Von
page-link-device = Gerät
page-link-caller = Server
page-link-asked = Angefragt
page-link-until = Bestätigen
page-link-heed = Bestätigen Sie nur, was Sie eben selbst begonnen haben.
page-link-confirm = Ja, das bin ich
page-link-deny = Nein, das bin ich nicht
page-link-confirmed = Bestätigt
page-link-go-back = Sie können diese Seite schließen und dorthin zurückkehren, wo Sie begonnen haben.
page-link-goes-on = Sie werden jetzt zurückgeleitet.
page-link-disowned = Abgelehnt
page-link-disowned-lead = Die Anfrage wurde abgelehnt, und nichts wurde bestätigt.
page-link-disowned-advice = Wenn Sie sie nicht gestellt haben, kennt vielleicht jemand Ihr Passwort. Ändern Sie es.
page-link-over = Dieser Link gilt nicht mehr
page-link-over-lead = Er wurde benutzt, ist abgelaufen, oder ein neuerer hat ihn ersetzt.
page-link-over-advice = Wenn Sie gerade bestätigt haben, sind Sie fertig: Kehren Sie dorthin zurück, wo Sie begonnen haben. Sonst beginnen Sie dort neu und nehmen Sie die neueste Nachricht.
page-link-not-from-page = Diese Antwort zählt nicht
page-link-not-from-page-lead = Sie kam von einer anderen Website, deshalb wurde nichts bestätigt.
page-link-not-from-page-advice = Öffnen Sie den Link aus der Nachricht selbst, und antworten Sie auf der Seite, die er zeigt.
page-not-found = Hier ist nichts
page-not-found-lead = Vielleicht ist die Adresse unvollständig. Kopieren Sie sie ganz, oder öffnen Sie sie noch einmal aus der Nachricht.
page-not-understood = Das wurde nicht verstanden
page-not-understood-lead = Der Browser hat etwas gesendet, was diese Seite nicht sendet. Gehen Sie zurück und versuchen Sie es noch einmal.
page-too-many = Zu viele Anfragen
page-too-many-lead = { $seconds ->
    [one] Bitte versuchen Sie es in einer Sekunde noch einmal.
   *[other] Bitte versuchen Sie es in { $seconds } Sekunden noch einmal.
}
page-unavailable = Im Moment nicht verfügbar
page-unavailable-lead = Es wurde nichts geändert. Bitte versuchen Sie es in einer Minute noch einmal.
page-fault = Etwas ist schiefgegangen
page-fault-lead = Der Fehler liegt bei uns. Bitte versuchen Sie es noch einmal. Wenn er bleibt, geben Sie die Nummer unten an die weiter, die diesen Dienst betreiben.
page-fault-id = Nummer der Anfrage
