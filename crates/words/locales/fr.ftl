sms = { $code } est votre code { $brand }. Il est valable { $minutes } min. Ne le donnez à personne.
warning-sms = { $brand } : trop de demandes de connexion que vous n'avez pas acceptées. Si ce n'est pas vous, changez votre mot de passe.
invitation-sms = { $brand } : créez votre accès. Ne le partagez pas : { $link }
added-sms = { $brand } : nouveau moyen de connexion : { $device }. Pas vous ? Prévenez vite votre administrateur.
test-sms = Message de test de { $brand }. Vous n'avez rien à faire.

voice = Ici { $brand }. Votre code est : { $code }. Je répète, votre code est : { $code }. Au revoir.
keypad = Ici { $brand }. Veuillez saisir les six chiffres affichés sur votre écran, puis appuyer sur la touche dièse.
keypad-right = Ici { $brand }. Merci, les chiffres sont corrects. Au revoir.
keypad-wrong = Ici { $brand }. Ce ne sont pas les chiffres affichés sur votre écran. Veuillez y recommencer. Au revoir.
keypad-late = Ici { $brand }. Il est trop tard pour ces chiffres. Veuillez recommencer sur votre écran. Au revoir.

email-subject = Votre code { $brand }
email-lead = Votre code { $brand } est
email-life = { $minutes ->
    [one] Il est valable une seule fois, pendant une minute.
   *[other] Il est valable une seule fois, pendant { $minutes } minutes.
}
email-caution = Si vous ne l'avez pas demandé, quelqu'un connaît peut-être votre mot de passe : changez-le, et ne donnez ce code à personne.
link-subject = Confirmez que c'est bien vous : { $brand }
link-lead = Ouvrez ce lien pour confirmer à { $brand } que c'est bien vous
link-or = Ou ouvrez ce lien et confirmez-y
link-button = Voir et confirmer
link-life = { $minutes ->
    [one] Le lien est valable une seule fois, pendant une minute.
   *[other] Le lien est valable une seule fois, pendant { $minutes } minutes.
}
link-caution = Si vous ne l'avez pas demandé, quelqu'un connaît peut-être votre mot de passe : changez-le. La page du lien vous permet de dire que ce n'était pas vous.
both-life = { $minutes ->
    [one] L'un ou l'autre est valable une seule fois, pendant une minute.
   *[other] L'un ou l'autre est valable une seule fois, pendant { $minutes } minutes.
}
both-caution = Si vous ne l'avez pas demandé, quelqu'un connaît peut-être votre mot de passe : changez-le, ne donnez ce code à personne et ne confirmez rien.
warning-subject = Connexions à { $brand } que vous n'avez pas acceptées
warning-lead = Quelqu'un demande sans cesse à se connecter à { $brand } en votre nom, et vous ne l'avez pas accepté. Pour l'instant, aucune autre demande n'est envoyée à votre téléphone.
warning-caution = Si ce n'était pas vous, quelqu'un connaît votre mot de passe : changez-le. N'acceptez aucune demande que vous n'avez pas faite vous-même.
invitation-subject = Configurez votre connexion à { $brand }
invitation-lead = Vous êtes invité à configurer une seconde étape pour vous connecter à { $brand }. Cela prend deux minutes ; gardez votre téléphone à portée de main. Ouvrez ce lien pour commencer
invitation-button = Configurer maintenant
invitation-life-hours = Le lien est valable une seule fois, pendant { $hours } heures.
invitation-life-days = Le lien est valable une seule fois, pendant { $days } jours.
invitation-caution = Ce lien est pour vous seul : ne le transmettez à personne, pas même à ceux qui proposent leur aide. Si vous ne l'attendiez pas, demandez d'abord à votre administrateur.
added-subject = Nouveau moyen de connexion à { $brand }
added-lead = Un nouveau moyen de connexion a été ajouté à votre compte { $brand }
added-caution = Si c'était vous, il n'y a rien à faire. Sinon, quelqu'un d'autre peut se connecter à votre place : prévenez aussitôt votre administrateur et changez votre mot de passe.
test-subject = Message de test de { $brand }
test-lead = Ceci est un message de test de { $brand }. Vous n'avez rien à faire.

push = Êtes-vous en train de vous connecter à { $brand } ?
push-number = Êtes-vous en train de vous connecter à { $brand } ? Saisissez le nombre que vous y voyez.

# Pages. { $brand }, { $who } et d’autres noms sont affichés à part du texte qui les entoure.
page-foot = { $brand } demande un second facteur, pour que votre mot de passe seul ne suffise pas à se connecter.
page-continue = Continuer
page-minutes-ago = { $minutes ->
    [0] à l’instant ({ $clock })
    [one] il y a une minute ({ $clock })
   *[other] il y a { $minutes } minutes ({ $clock })
}
page-minutes-left = { $minutes ->
    [one] encore une minute ({ $clock })
   *[other] encore { $minutes } minutes ({ $clock })
}
page-link-title = Est-ce bien vous ?
page-link-lead-login = Quelqu’un se connecte en tant que { $who }.
page-link-lead-enrolment = Quelqu’un souhaite utiliser cette boîte aux lettres pour se connecter en tant que { $who }.
page-link-client = Service
page-link-account = Compte
page-link-from = Depuis
page-link-device = Appareil
page-link-caller = Serveur
page-link-asked = Demandé
page-link-until = À confirmer
page-link-heed = Ne confirmez que ce que vous venez de commencer vous-même.
page-link-confirm = Oui, c’est moi
page-link-deny = Non, ce n’est pas moi
page-link-confirmed = Confirmé
page-link-go-back = Vous pouvez fermer cette page et revenir là où vous avez commencé.
page-link-goes-on = Vous êtes redirigé maintenant.
page-link-disowned = Refusé
page-link-disowned-lead = La demande a été refusée et rien n’a été confirmé.
page-link-disowned-advice = Si vous n’en êtes pas à l’origine, quelqu’un connaît peut-être votre mot de passe. Changez-le.
page-link-over = Ce lien n’est plus valable
page-link-over-lead = Il a été utilisé, il a expiré, ou un plus récent l’a remplacé.
page-link-over-advice = Si vous venez de confirmer, c’est terminé : revenez là où vous avez commencé. Sinon, recommencez là-bas et utilisez le message le plus récent.
page-link-not-from-page = Cette réponse n’a pas été prise en compte
page-link-not-from-page-lead = Elle venait d’un autre site, donc rien n’a été confirmé.
page-link-not-from-page-advice = Ouvrez le lien du message lui-même et répondez sur la page qu’il affiche.
page-enrol-title = Configurez votre seconde étape
page-enrol-lead = Votre mot de passe seul ne suffit pas pour { $brand }. Choisissez comment montrer que c’est bien vous.
page-enrol-account = Compte
page-enrol-by = Invitation de
page-enrol-until = Lien valable
page-enrol-hours-left = { $hours ->
    [one] encore une heure ({ $clock })
   *[other] encore { $hours } heures ({ $clock })
}
page-enrol-days-left = { $days ->
    [one] encore un jour ({ $clock })
   *[other] encore { $days } jours ({ $clock })
}
page-enrol-replaces = Vos appareils précédents ne fonctionneront plus dès que vous aurez terminé. D’ici là, rien ne change.
page-enrol-recommended = Recommandé
page-enrol-weaker = Moins sûr
page-enrol-totp = Application d’authentification
page-enrol-totp-text = Une application sur votre téléphone affiche un nouveau code toutes les 30 secondes, même sans réseau.
page-enrol-totp-begin = Utiliser une application
page-enrol-push = Demande sur votre téléphone
page-enrol-push-text = Votre téléphone demande si c’est bien vous, et vous répondez d’un geste. Aucun code à saisir.
page-enrol-push-begin = Recevoir des demandes
page-enrol-email = E-mail
page-enrol-email-text = Vous recevez chaque fois un code par e-mail. C’est aussi sûr que votre boîte aux lettres.
page-enrol-email-field = Adresse e-mail
page-enrol-email-begin = Recevoir un e-mail
page-enrol-sms = SMS
page-enrol-sms-text = Vous recevez chaque fois un code par SMS. C’est le moyen le moins sûr : d’autres peuvent détourner un numéro ou lire ses messages.
page-enrol-sms-field = Numéro de mobile
page-enrol-sms-hint = Avec l’indicatif du pays, par exemple +33 6 39 98 12 34.
page-enrol-sms-begin = Recevoir un SMS
page-enrol-known = Il est envoyé à { $to }.
page-enrol-lost = Si vous perdez votre téléphone, demandez un nouveau lien à votre administrateur.
page-enrol-help = Comment le joindre
page-enrol-app = Ajoutez votre compte à l’application
page-enrol-app-lead = Ouvrez votre application d’authentification, ajoutez un compte et scannez cette image.
page-enrol-app-which = Pas encore d’application ? Toutes conviennent, par exemple Google Authenticator, Microsoft Authenticator, Aegis ou un gestionnaire de mots de passe.
page-enrol-app-alt = Code QR pour votre application d’authentification. Si vous ne pouvez pas le scanner, utilisez le lien ou la clé qui suivent.
page-enrol-app-open = Ouvrir dans une application sur ce téléphone
page-enrol-app-key = Saisir une clé au lieu de scanner
page-enrol-app-issuer = Émetteur
page-enrol-app-secret = Clé
page-enrol-app-once = L’image et la clé ne s’affichent qu’une fois : gardez cette page ouverte jusqu’à la fin.
page-enrol-app-code = Code affiché par l’application
page-enrol-app-code-hint = Il change toutes les 30 secondes.
page-enrol-confirm = Confirmer
page-enrol-again = Recommencer
page-enrol-try = Saisissez le code encore une fois
page-enrol-try-lead = Le compte { $who } dans votre application reste le bon.
page-enrol-try-advice = Il n’est pas dans votre application ? Recommencez pour obtenir une nouvelle image, et supprimez ce que l’application a pour ce compte.
page-enrol-wrong = Ce code n’est pas le bon. Saisissez celui que l’application affiche maintenant.
page-enrol-wrong-sent = Ce code n’est pas le bon. Saisissez celui du message le plus récent.
page-enrol-used = Ce code a déjà servi. Attendez le suivant, 30 secondes au plus.
page-enrol-clock-fast = { $minutes ->
    [one] L’horloge de votre téléphone avance d’une minute. Laissez-le régler l’heure automatiquement, puis saisissez le code affiché par l’application.
   *[other] L’horloge de votre téléphone avance de { $minutes } minutes. Laissez-le régler l’heure automatiquement, puis saisissez le code affiché par l’application.
}
page-enrol-clock-slow = { $minutes ->
    [one] L’horloge de votre téléphone retarde d’une minute. Laissez-le régler l’heure automatiquement, puis saisissez le code affiché par l’application.
   *[other] L’horloge de votre téléphone retarde de { $minutes } minutes. Laissez-le régler l’heure automatiquement, puis saisissez le code affiché par l’application.
}
page-enrol-locked = Trop de codes erronés
page-enrol-locked-lead = { $minutes ->
    [one] Aucun code n’est accepté pendant une minute. Ensuite, ouvrez de nouveau votre lien.
   *[other] Aucun code n’est accepté pendant { $minutes } minutes. Ensuite, ouvrez de nouveau votre lien.
}
page-enrol-locked-help = Aucun code n’est accepté pour ce compte en ce moment. Demandez à votre administrateur de le déverrouiller.
page-enrol-late = Cela a pris trop de temps
page-enrol-late-lead = Ce que vous aviez commencé a expiré et rien n’a été modifié. Recommencez : cela prend une minute.
page-enrol-pair = Connectez votre téléphone
page-enrol-pair-lead = Dirigez l’appareil photo de votre téléphone vers cette image et ouvrez la page qu’il trouve.
page-enrol-pair-alt = Code QR avec l’adresse de l’application. Si vous ne pouvez pas le scanner, utilisez le lien ou le code qui suivent.
page-enrol-pair-open = Sur ce téléphone : ouvrir l’application
page-enrol-pair-code = Ou saisissez ce code dans l’application
page-enrol-pair-until = Code valable
page-enrol-waiting = En attente de votre téléphone
page-enrol-sent = Saisissez le code
page-enrol-sent-sms = Nous avons envoyé un SMS au { $to }.
page-enrol-sent-email = Nous avons envoyé un e-mail à { $to }.
page-enrol-sent-code = Code reçu
page-enrol-resend = Envoyer un nouveau code
page-enrol-resend-sms = Pas encore de message ? Vérifiez le numéro ou demandez un nouveau code.
page-enrol-resend-email = Pas encore de message ? Regardez aussi dans les indésirables, ou demandez un nouveau code.
page-enrol-resend-later = { $seconds ->
    [one] Pas encore de message ? Vous pourrez demander un nouveau code dans une seconde.
   *[other] Pas encore de message ? Vous pourrez demander un nouveau code dans { $seconds } secondes.
}
page-enrol-other-number = Utiliser un autre numéro
page-enrol-other-address = Utiliser une autre adresse
page-enrol-done = Tout est prêt
page-enrol-done-totp = Désormais, après votre mot de passe, saisissez le code affiché par votre application.
page-enrol-done-push = Désormais, après votre mot de passe, répondez à la demande sur votre téléphone.
page-enrol-done-email = Désormais, après votre mot de passe, saisissez le code que nous vous envoyons par e-mail.
page-enrol-done-sms = Désormais, après votre mot de passe, saisissez le code que nous vous envoyons par SMS.
page-enrol-done-replaced = Vos appareils précédents ont été supprimés et ne fonctionnent plus.
page-enrol-done-number = Un numéro de téléphone seul est peu sûr : d’autres peuvent le détourner, et sans réseau aucun code n’arrive. Ajoutez aussi une application d’authentification.
page-enrol-done-spare = Un second moyen vous permet d’entrer si celui-ci est perdu ou en panne.
page-enrol-done-next = Ajouter un autre moyen
page-enrol-done-next-until = { $minutes ->
    [one] Vous pouvez le faire ici pendant une minute.
   *[other] Vous pouvez le faire ici pendant { $minutes } minutes.
}
page-enrol-done-close = Vous pouvez fermer cette page.
page-enrol-over-advice = Si vous venez de terminer, tout est en ordre. Sinon, demandez un nouveau lien à votre administrateur.
page-enrol-not-from-page-lead = Elle venait d’un autre site, donc rien n’a été configuré.
page-enrol-target-refused = Aucun message ne peut y être envoyé. Vérifiez-le ou choisissez un autre moyen.
page-not-found = Il n’y a rien ici
page-not-found-lead = L’adresse est peut-être incomplète. Copiez-la en entier, ou ouvrez-la de nouveau depuis le message.
page-not-understood = Cette demande n’a pas été comprise
page-not-understood-lead = Le navigateur a envoyé quelque chose que cette page n’envoie pas. Revenez en arrière et réessayez.
page-too-many = Trop de demandes
page-too-many-lead = { $seconds ->
    [one] Veuillez réessayer dans une seconde.
   *[other] Veuillez réessayer dans { $seconds } secondes.
}
page-unavailable = Indisponible pour le moment
page-unavailable-lead = Rien n’a été modifié. Veuillez réessayer dans une minute.
page-fault = Un problème est survenu
page-fault-lead = L’erreur vient de notre côté. Veuillez réessayer ; si elle persiste, donnez le numéro ci-dessous aux responsables de ce service.
page-fault-id = Numéro de la demande

# L’application sur un téléphone. $account et d’autres noms sont insérés par son script.
page-app-title = Demandes de connexion
page-app-noscript = Cette application a besoin de JavaScript. Activez-le pour cette page, puis ouvrez-la de nouveau.
page-app-starting = Un instant…
page-app-status-connecting = Connexion…
page-app-status-ready = Connecté. Les nouvelles demandes s’affichent ici.
page-app-status-unpaired = Pas encore associé
page-app-status-polling = Le service est très sollicité. L’application demande les nouveautés toutes les 5 secondes.
page-app-status-offline = Pas de connexion. Nouvel essai…
page-app-status-busy = Trop de demandes. Nouvel essai dans { $time }.
page-app-none = Aucune demande en attente
page-app-none-lead = Quand vous vous connectez, la demande s’affiche ici.
page-app-accounts = Comptes sur ce téléphone
page-app-add = Ajouter un compte
page-app-history = Historique
page-app-removed = Supprimé
page-app-request = Est-ce bien vous ?
page-app-request-lead = Quelqu’un se connecte en tant que { $account }.
page-app-heed = N’acceptez que ce que vous venez de commencer vous-même.
page-app-digits = Nombre affiché à la connexion
page-app-digits-hint = Il a { $digits } chiffres. Si vous ne voyez aucun nombre, refusez.
page-app-digits-older = Ce nombre vient d’un écran précédent. Saisissez celui qui est affiché maintenant.
page-app-accept = Accepter
page-app-deny = Refuser
page-app-later = Pas maintenant
page-app-back = Retour
page-app-left = Encore { $time }
page-app-not-sent = Votre réponse n’a pas été envoyée. Vérifiez la connexion et réessayez.
page-app-wait = Trop d’essais. Veuillez attendre { $time } et réessayer.
page-app-deny-title = Avez-vous commencé cette connexion ?
page-app-deny-lead = Elle est refusée dans les deux cas.
page-app-report = Non, ce n’était pas moi
page-app-report-hint = Cela déclenche une alarme chez { $issuer } et suspend les demandes pendant 15 minutes.
page-app-mind = Oui, j’ai changé d’avis
page-app-accepted = Accepté
page-app-accepted-lead = Revenez là où vous vous connectez. La suite s’y fait toute seule.
page-app-denied = Refusé
page-app-denied-lead = La connexion a été refusée.
page-app-reported = Signalé
page-app-reported-lead = La connexion a été refusée et une alarme a été déclenchée. Vous ne recevrez plus de demandes pendant 15 minutes.
page-app-reported-advice = Quelqu’un connaît peut-être votre mot de passe. Changez-le maintenant.
page-app-wrong-number = Ce n’était pas le bon nombre
page-app-wrong-number-lead = La connexion a été refusée.
page-app-wrong-number-advice = Si c’était vous, recommencez et saisissez le nombre que vous verrez alors.
page-app-over = Cette demande est terminée
page-app-over-lead = Elle a déjà reçu une réponse, une plus récente l’a remplacée, ou son délai est écoulé. Rien n’a été accepté ici.
page-app-over-advice = Si vous attendez encore, recommencez la connexion.
page-app-locked = Bloqué pour le moment
page-app-locked-lead = Votre compte ou ce téléphone est bloqué, votre réponse n’a donc pas été prise en compte.
page-app-locked-advice = Réessayez plus tard ou demandez à votre assistance.
page-app-next = Demande suivante
page-app-done = Terminé
page-app-arrived = Nouvelle demande de connexion : { $client }
page-app-unnamed = Service sans nom
page-app-welcome = Associer ce téléphone
page-app-welcome-lead = Vous accepterez ensuite les connexions à { $brand } d’un simple geste. La clé ne quitte jamais ce téléphone.
page-app-code = Code d’association
page-app-code-hint = 8 lettres et chiffres
page-app-code-wrong = Un code d’association a 8 lettres et chiffres, par exemple 7K2M 9QXR.
page-app-code-unknown = Ce code n’est pas valable. Un code sert une seule fois, pendant quelques minutes. Demandez-en un nouveau.
page-app-how = Où trouver le code
page-app-how-set-up = Sur votre ordinateur, choisissez le téléphone comme second facteur.
page-app-how-scan = Scannez l’image qui s’affiche avec l’appareil photo de ce téléphone.
page-app-how-type = Ou saisissez ici le code affiché dessous.
page-app-pair = Associer à { $issuer } ?
page-app-pair-lead = Ce téléphone acceptera des connexions, avec le code
page-app-pair-heed = Ne continuez que si vous avez demandé ce code vous-même.
page-app-pair-yes = Associer ce téléphone
page-app-cancel = Annuler
page-app-full = Ce téléphone a déjà huit comptes. Supprimez-en d’abord un.
page-app-paired = Ce téléphone est associé
page-app-paired-lead = Désormais, il accepte ou refuse les connexions en tant que { $account }.
page-app-not-mine = Ce n’est pas mon compte
page-app-service = Service
page-app-paired-at = Associé
page-app-removed-lead = { $issuer } n’accepte plus ce téléphone. Pour l’utiliser de nouveau, supprimez le compte ici et associez-le encore une fois.
page-app-remove = Supprimer de ce téléphone
page-app-remove-title = Supprimer { $account } ?
page-app-remove-lead = Sa clé sur ce téléphone est effacée pour toujours. Pour vous connecter, il vous faudra un autre second facteur.
page-app-remove-also = Ce téléphone reste inscrit chez { $issuer } tant qu’il n’y est pas supprimé aussi.
page-app-remove-yes = Supprimer
page-app-keep = Garder
page-app-history-note = Les 50 dernières demandes. Elles ne sont gardées que sur ce téléphone.
page-app-history-none = Rien pour l’instant
page-app-history-clear = Effacer l’historique
page-app-outcome-accepted = Acceptée
page-app-outcome-denied = Refusée
page-app-outcome-reported = Signalée
page-app-outcome-wrong-number = Mauvais nombre
page-app-outcome-over = Terminée
page-app-outcome-locked = Bloqué
page-app-outcome-missed = Sans réponse
page-app-notify = Notifications
page-app-notify-why = Ce téléphone affiche une notification quand vous vous connectez, même si l’application est fermée. Elle ne contient rien de personnel.
page-app-notify-on = Activer les notifications
page-app-notify-is-on = Activées. Les demandes vous parviennent même si l’application est fermée.
page-app-notify-off = Désactiver les notifications
page-app-notify-denied = Les notifications sont bloquées. Autorisez-les pour cette application dans les réglages du navigateur ou du téléphone, puis ouvrez-la de nouveau.
page-app-notify-unsupported = Indisponibles ici. Gardez cette application ouverte pendant que vous vous connectez.
page-app-notify-failed = Les notifications n’ont pas pu être activées. Veuillez réessayer plus tard.
page-app-install = Ajoutez cette application à l’écran d’accueil
page-app-install-lead = Sur iPhone et iPad, seules les applications de l’écran d’accueil reçoivent des notifications.
page-app-install-share = Touchez « Partager » dans la barre du navigateur.
page-app-install-add = Choisissez « Sur l’écran d’accueil ».
page-app-install-open = Ouvrez { $brand } depuis l’écran d’accueil et associez le téléphone là.
page-app-install-code = Si l’application demande un code, saisissez celui-ci :
page-app-install-skip = Continuer dans le navigateur
page-app-install-how = Me montrer comment faire
page-app-install-now = Installer cette application
page-app-broken = Ce navigateur ne convient pas
page-app-broken-lead = Il ne peut pas garder une clé en sûreté. Utilisez une fenêtre qui n’est pas privée, dans un navigateur récent, en https.
page-app-ended = Une demande est terminée
