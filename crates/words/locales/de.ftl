sms = { $code } ist Ihr Code für { $brand }. Er gilt { $minutes } Min. Geben Sie ihn nicht weiter.
warning-sms = { $brand }: zu viele Anmeldeanfragen, die Sie nicht bestätigt haben. Sind sie nicht von Ihnen, ändern Sie Ihr Passwort.
invitation-sms = { $brand }: Anmeldung einrichten. Nicht weitergeben: { $link }
added-sms = { $brand }: neue Anmeldemethode hinzugefügt: { $device }. Nicht Sie? Sofort die Administration informieren.
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
invitation-subject = Richten Sie Ihre Anmeldung bei { $brand } ein
invitation-lead = Sie sind eingeladen, einen zweiten Schritt für die Anmeldung bei { $brand } einzurichten. Das dauert zwei Minuten; halten Sie Ihr Telefon bereit. Öffnen Sie diesen Link, um zu beginnen
invitation-button = Jetzt einrichten
invitation-life-hours = Der Link gilt einmal und { $hours } Stunden lang.
invitation-life-days = Der Link gilt einmal und { $days } Tage lang.
invitation-caution = Der Link ist nur für Sie: Geben Sie ihn nicht weiter, auch nicht an Leute, die Hilfe anbieten. Wenn Sie ihn nicht erwartet haben, fragen Sie zuerst Ihre Administration.
added-subject = Neue Anmeldemethode bei { $brand }
added-lead = Zu Ihrem Konto bei { $brand } wurde eine neue Anmeldemethode hinzugefügt
added-caution = Wenn Sie das waren, müssen Sie nichts tun. Wenn nicht, kann sich jemand anders als Sie anmelden: Informieren Sie sofort Ihre Administration, und ändern Sie Ihr Passwort.
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
page-enrol-title = Zweiten Schritt einrichten
page-enrol-lead = Ihr Passwort allein reicht für { $brand } nicht. Wählen Sie, wie Sie zeigen, dass Sie es sind.
page-enrol-account = Konto
page-enrol-by = Eingeladen von
page-enrol-until = Link gilt
page-enrol-hours-left = { $hours ->
    [one] noch eine Stunde lang ({ $clock })
   *[other] noch { $hours } Stunden lang ({ $clock })
}
page-enrol-days-left = { $days ->
    [one] noch einen Tag lang ({ $clock })
   *[other] noch { $days } Tage lang ({ $clock })
}
page-enrol-replaces = Ihre bisherigen Geräte gelten nicht mehr, sobald Sie hier fertig sind. Bis dahin ändert sich nichts.
page-enrol-recommended = Empfohlen
page-enrol-weaker = Schwächer
page-enrol-totp = Authenticator-App
page-enrol-totp-text = Eine App auf Ihrem Telefon zeigt alle 30 Sekunden einen neuen Code, auch ohne Netz.
page-enrol-totp-begin = Authenticator-App verwenden
page-enrol-push = Anfrage auf Ihrem Telefon
page-enrol-push-text = Ihr Telefon fragt, ob Sie es sind, und Sie antworten mit einem Tipp. Sie müssen keinen Code eingeben.
page-enrol-push-begin = Anfragen auf mein Telefon
page-enrol-email = E-Mail
page-enrol-email-text = Sie bekommen jedes Mal einen Code per E-Mail. Das ist so sicher wie Ihr Postfach.
page-enrol-email-field = E-Mail-Adresse
page-enrol-email-begin = Code per E-Mail senden
page-enrol-sms = SMS
page-enrol-sms-text = Sie bekommen jedes Mal einen Code per SMS. Das ist der schwächste Weg: Andere können eine Nummer übernehmen oder ihre Nachrichten mitlesen.
page-enrol-sms-field = Mobilnummer
page-enrol-sms-hint = Mit Ländervorwahl, wie +49 1511 2345678.
page-enrol-sms-begin = Code per SMS senden
page-enrol-known = Er geht an { $to }.
page-enrol-lost = Wenn Sie Ihr Telefon verlieren, bitten Sie Ihre Administration um einen neuen Link.
page-enrol-help = So erreichen Sie sie
page-enrol-app = Konto in der App hinzufügen
page-enrol-app-lead = Öffnen Sie Ihre Authenticator-App, fügen Sie ein Konto hinzu, und scannen Sie dieses Bild.
page-enrol-app-which = Noch keine solche App? Jede passt, zum Beispiel Google Authenticator, Microsoft Authenticator, Aegis oder ein Passwortmanager.
page-enrol-app-alt = QR-Code für Ihre Authenticator-App. Wenn Sie ihn nicht scannen können, nehmen Sie den Link oder den Schlüssel, die folgen.
page-enrol-app-open = In einer App auf diesem Telefon öffnen
page-enrol-app-key = Schlüssel eintippen statt scannen
page-enrol-app-issuer = Aussteller
page-enrol-app-secret = Schlüssel
page-enrol-app-once = Bild und Schlüssel werden nur einmal gezeigt: Lassen Sie diese Seite offen, bis Sie fertig sind.
page-enrol-app-code = Code, den die App zeigt
page-enrol-app-code-hint = Er wechselt alle 30 Sekunden.
page-enrol-confirm = Bestätigen
page-enrol-again = Neu beginnen
page-enrol-try = Code noch einmal eingeben
page-enrol-try-lead = Das Konto { $who } in Ihrer App ist weiterhin das richtige.
page-enrol-try-advice = Es ist nicht in Ihrer App? Beginnen Sie neu, um ein neues Bild zu bekommen, und löschen Sie in der App, was sie für dieses Konto hat.
page-enrol-wrong = Dieser Code stimmt nicht. Geben Sie den ein, den die App jetzt zeigt.
page-enrol-wrong-sent = Dieser Code stimmt nicht. Geben Sie den aus der neuesten Nachricht ein.
page-enrol-used = Dieser Code wurde schon benutzt. Warten Sie auf den nächsten, höchstens 30 Sekunden.
page-enrol-clock-fast = { $minutes ->
    [one] Die Uhr Ihres Telefons geht eine Minute vor. Lassen Sie das Telefon die Zeit automatisch einstellen, und geben Sie dann den Code ein, den die App zeigt.
   *[other] Die Uhr Ihres Telefons geht { $minutes } Minuten vor. Lassen Sie das Telefon die Zeit automatisch einstellen, und geben Sie dann den Code ein, den die App zeigt.
}
page-enrol-clock-slow = { $minutes ->
    [one] Die Uhr Ihres Telefons geht eine Minute nach. Lassen Sie das Telefon die Zeit automatisch einstellen, und geben Sie dann den Code ein, den die App zeigt.
   *[other] Die Uhr Ihres Telefons geht { $minutes } Minuten nach. Lassen Sie das Telefon die Zeit automatisch einstellen, und geben Sie dann den Code ein, den die App zeigt.
}
page-enrol-locked = Zu viele falsche Codes
page-enrol-locked-lead = { $minutes ->
    [one] Eine Minute lang wird kein Code angenommen. Öffnen Sie danach Ihren Link noch einmal.
   *[other] { $minutes } Minuten lang wird kein Code angenommen. Öffnen Sie danach Ihren Link noch einmal.
}
page-enrol-locked-help = Für dieses Konto wird im Moment kein Code angenommen. Bitten Sie Ihre Administration, es zu entsperren.
page-enrol-late = Das hat zu lange gedauert
page-enrol-late-lead = Was Sie begonnen haben, ist abgelaufen, und nichts wurde geändert. Beginnen Sie neu: Es dauert eine Minute.
page-enrol-pair = Telefon verbinden
page-enrol-pair-lead = Richten Sie die Kamera Ihres Telefons auf dieses Bild, und öffnen Sie die Seite, die sie findet.
page-enrol-pair-alt = QR-Code mit der Adresse der App. Wenn Sie ihn nicht scannen können, nehmen Sie den Link oder den Code, die folgen.
page-enrol-pair-open = Auf diesem Telefon: App öffnen
page-enrol-pair-code = Oder tippen Sie diesen Code in die App
page-enrol-pair-until = Code gilt
page-enrol-waiting = Warten auf Ihr Telefon
page-enrol-sent = Code eingeben
page-enrol-sent-sms = Wir haben eine SMS an { $to } gesendet.
page-enrol-sent-email = Wir haben eine E-Mail an { $to } gesendet.
page-enrol-sent-code = Code aus der Nachricht
page-enrol-resend = Neuen Code senden
page-enrol-resend-sms = Noch keine Nachricht? Prüfen Sie die Nummer, oder fordern Sie einen neuen Code an.
page-enrol-resend-email = Noch keine Nachricht? Sehen Sie auch im Spam-Ordner nach, oder fordern Sie einen neuen Code an.
page-enrol-resend-later = { $seconds ->
    [one] Noch keine Nachricht? In einer Sekunde können Sie einen neuen Code anfordern.
   *[other] Noch keine Nachricht? In { $seconds } Sekunden können Sie einen neuen Code anfordern.
}
page-enrol-other-number = Andere Nummer verwenden
page-enrol-other-address = Andere Adresse verwenden
page-enrol-done = Alles eingerichtet
page-enrol-done-totp = Ab jetzt geben Sie nach Ihrem Passwort den Code ein, den Ihre App zeigt.
page-enrol-done-push = Ab jetzt beantworten Sie nach Ihrem Passwort die Anfrage auf Ihrem Telefon.
page-enrol-done-email = Ab jetzt geben Sie nach Ihrem Passwort den Code ein, den wir Ihnen per E-Mail senden.
page-enrol-done-sms = Ab jetzt geben Sie nach Ihrem Passwort den Code ein, den wir Ihnen per SMS senden.
page-enrol-done-replaced = Ihre bisherigen Geräte wurden entfernt und gelten nicht mehr.
page-enrol-done-number = Eine Telefonnummer allein ist schwach: Andere können sie übernehmen, und ohne Empfang kommt kein Code an. Bitte fügen Sie auch eine Authenticator-App hinzu.
page-enrol-done-spare = Mit einem zweiten Weg kommen Sie hinein, wenn dieser verloren oder kaputt ist.
page-enrol-done-next = Weiteren Weg hinzufügen
page-enrol-done-next-until = { $minutes ->
    [one] Das geht hier noch eine Minute lang.
   *[other] Das geht hier noch { $minutes } Minuten lang.
}
page-enrol-done-close = Sie können diese Seite schließen.
page-enrol-over-advice = Wenn Sie gerade fertig geworden sind, ist alles erledigt. Sonst bitten Sie Ihre Administration um einen neuen Link.
page-enrol-not-from-page-lead = Sie kam von einer anderen Website, deshalb wurde nichts eingerichtet.
page-enrol-target-refused = Dorthin kann keine Nachricht gehen. Prüfen Sie die Angabe, oder wählen Sie einen anderen Weg.
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

# Die App auf dem Telefon. $account und andere Namen setzt ihr Skript ein.
page-app-title = Anmeldeanfragen
page-app-noscript = Diese App braucht JavaScript. Erlauben Sie es für diese Seite, und öffnen Sie sie noch einmal.
page-app-starting = Einen Moment …
page-app-status-connecting = Verbinden …
page-app-status-ready = Verbunden. Neue Anfragen erscheinen hier.
page-app-status-unpaired = Noch nicht gekoppelt
page-app-status-polling = Der Dienst ist ausgelastet. Diese App fragt alle 5 Sekunden nach neuen Anfragen.
page-app-status-offline = Keine Verbindung. Neuer Versuch …
page-app-status-busy = Zu viele Anfragen. Neuer Versuch in { $time }.
page-app-none = Keine Anfrage wartet
page-app-none-lead = Wenn Sie sich anmelden, erscheint die Anfrage hier.
page-app-accounts = Konten auf diesem Telefon
page-app-add = Konto hinzufügen
page-app-history = Verlauf
page-app-removed = Entfernt
page-app-request = Sind Sie das?
page-app-request-lead = Jemand meldet sich als { $account } an.
page-app-heed = Bestätigen Sie nur, was Sie eben selbst begonnen haben.
page-app-digits = Zahl bei der Anmeldung
page-app-digits-hint = Sie hat { $digits } Ziffern. Wenn Sie keine Zahl sehen, lehnen Sie ab.
page-app-digits-older = Diese Zahl war auf einer früheren Seite. Tippen Sie die ein, die jetzt zu sehen ist.
page-app-accept = Bestätigen
page-app-deny = Ablehnen
page-app-later = Nicht jetzt
page-app-back = Zurück
page-app-left = Noch { $time }
page-app-not-sent = Ihre Antwort wurde nicht gesendet. Prüfen Sie die Verbindung, und versuchen Sie es noch einmal.
page-app-wait = Zu viele Versuche. Bitte warten Sie { $time }, und versuchen Sie es noch einmal.
page-app-deny-title = Haben Sie diese Anmeldung begonnen?
page-app-deny-lead = Abgelehnt wird sie in jedem Fall.
page-app-report = Nein, das war ich nicht
page-app-report-hint = Das löst bei { $issuer } einen Alarm aus und hält Anfragen 15 Minuten lang auf.
page-app-mind = Ja, ich habe es mir anders überlegt
page-app-accepted = Bestätigt
page-app-accepted-lead = Kehren Sie dorthin zurück, wo Sie sich anmelden. Dort geht es von selbst weiter.
page-app-denied = Abgelehnt
page-app-denied-lead = Die Anmeldung wurde abgelehnt.
page-app-reported = Gemeldet
page-app-reported-lead = Die Anmeldung wurde abgelehnt und ein Alarm ausgelöst. 15 Minuten lang bekommen Sie keine Anfragen.
page-app-reported-advice = Vielleicht kennt jemand Ihr Passwort. Ändern Sie es jetzt.
page-app-wrong-number = Das war nicht die Zahl
page-app-wrong-number-lead = Die Anmeldung wurde abgelehnt.
page-app-wrong-number-advice = Wenn Sie das waren, beginnen Sie neu, und tippen Sie die Zahl ein, die Sie dann sehen.
page-app-over = Diese Anfrage ist vorbei
page-app-over-lead = Sie wurde schon beantwortet, eine neuere hat sie ersetzt, oder ihre Zeit ist abgelaufen. Hier wurde nichts bestätigt.
page-app-over-advice = Wenn Sie noch warten, beginnen Sie die Anmeldung neu.
page-app-locked = Vorläufig gesperrt
page-app-locked-lead = Ihr Konto oder dieses Telefon ist gesperrt, deshalb zählt Ihre Antwort nicht.
page-app-locked-advice = Versuchen Sie es später noch einmal, oder fragen Sie Ihren Helpdesk.
page-app-next = Nächste Anfrage
page-app-done = Fertig
page-app-arrived = Neue Anmeldeanfrage: { $client }
page-app-unnamed = Dienst ohne Namen
page-app-welcome = Dieses Telefon koppeln
page-app-welcome-lead = Dann bestätigen Sie Anmeldungen bei { $brand } mit einem Tippen. Der Schlüssel dafür verlässt dieses Telefon nie.
page-app-code = Kopplungscode
page-app-code-hint = 8 Buchstaben und Ziffern
page-app-code-wrong = Ein Kopplungscode hat 8 Buchstaben und Ziffern, zum Beispiel 7K2M 9QXR.
page-app-code-unknown = Dieser Code gilt nicht. Codes gelten einmal und wenige Minuten lang. Fordern Sie einen neuen an.
page-app-how = Wo Sie den Code finden
page-app-how-set-up = Wählen Sie am Computer das Telefon als zweiten Faktor.
page-app-how-scan = Fotografieren Sie das Bild, das dort erscheint, mit der Kamera dieses Telefons.
page-app-how-type = Oder tippen Sie hier den Code ein, der darunter steht.
page-app-pair = Mit { $issuer } koppeln?
page-app-pair-lead = Dieses Telefon bestätigt dann Anmeldungen, mit dem Code
page-app-pair-heed = Machen Sie nur weiter, wenn Sie diesen Code selbst angefordert haben.
page-app-pair-yes = Telefon koppeln
page-app-cancel = Abbrechen
page-app-full = Auf diesem Telefon sind schon acht Konten. Entfernen Sie zuerst eines.
page-app-paired = Das Telefon ist gekoppelt
page-app-paired-lead = Ab jetzt bestätigt es Anmeldungen als { $account } oder lehnt sie ab.
page-app-not-mine = Das ist nicht mein Konto
page-app-service = Dienst
page-app-paired-at = Gekoppelt
page-app-removed-lead = { $issuer } nimmt dieses Telefon nicht mehr an. Um es wieder zu nutzen, entfernen Sie das Konto hier, und koppeln Sie das Telefon neu.
page-app-remove = Von diesem Telefon entfernen
page-app-remove-title = { $account } entfernen?
page-app-remove-lead = Der Schlüssel auf diesem Telefon wird für immer gelöscht. Zum Anmelden brauchen Sie dann einen anderen zweiten Faktor.
page-app-remove-also = { $issuer } führt dieses Telefon weiter, bis es auch dort gelöscht wird.
page-app-remove-yes = Entfernen
page-app-keep = Behalten
page-app-history-note = Die letzten 50 Anfragen. Sie stehen nur auf diesem Telefon.
page-app-history-none = Noch nichts
page-app-history-clear = Verlauf löschen
page-app-outcome-accepted = Bestätigt
page-app-outcome-denied = Abgelehnt
page-app-outcome-reported = Gemeldet
page-app-outcome-wrong-number = Falsche Zahl
page-app-outcome-over = Vorbei
page-app-outcome-locked = Gesperrt
page-app-outcome-missed = Nicht beantwortet
page-app-notify = Mitteilungen
page-app-notify-why = Das Telefon zeigt eine Mitteilung, wenn Sie sich anmelden, auch wenn die App geschlossen ist. Persönliches steht nicht darin.
page-app-notify-on = Mitteilungen einschalten
page-app-notify-is-on = Eingeschaltet. Anfragen erreichen Sie auch bei geschlossener App.
page-app-notify-off = Mitteilungen ausschalten
page-app-notify-denied = Mitteilungen sind blockiert. Erlauben Sie sie in den Einstellungen des Browsers oder Telefons für diese App, und öffnen Sie sie noch einmal.
page-app-notify-unsupported = Hier nicht verfügbar. Lassen Sie diese App offen, während Sie sich anmelden.
page-app-notify-failed = Mitteilungen ließen sich nicht einschalten. Bitte versuchen Sie es später noch einmal.
page-app-install = Diese App zum Home-Bildschirm hinzufügen
page-app-install-lead = Auf iPhone und iPad gibt es Mitteilungen nur für Apps auf dem Home-Bildschirm.
page-app-install-share = Tippen Sie in der Leiste des Browsers auf „Teilen“.
page-app-install-add = Wählen Sie „Zum Home-Bildschirm“.
page-app-install-open = Öffnen Sie { $brand } vom Home-Bildschirm, und koppeln Sie dort.
page-app-install-code = Wenn die App nach einem Code fragt, tippen Sie diesen ein:
page-app-install-skip = Im Browser weitermachen
page-app-install-how = Zeigen, wie es geht
page-app-install-now = Diese App installieren
page-app-broken = Dieser Browser ist nicht geeignet
page-app-broken-lead = Er kann keinen Schlüssel sicher aufbewahren. Nehmen Sie ein Fenster, das nicht privat ist, in einem aktuellen Browser und über https.
page-app-ended = Eine Anfrage ist vorbei
