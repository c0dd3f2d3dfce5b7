sms = { $code } es su clave de { $brand }. Vale durante { $minutes } min. No la comparta con nadie.
warning-sms = { $brand }: demasiadas solicitudes de acceso sin aceptar por usted. Si no son suyas, cambie su contraseña.
invitation-sms = { $brand }: configure su acceso. No lo comparta: { $link }
added-sms = { $brand }: nuevo modo de acceso añadido: { $device }. ¿No fue usted? Avise ya a su administrador.
test-sms = Mensaje de prueba de { $brand }. No tiene que hacer nada.

voice = Le habla { $brand }. Su código es: { $code }. Repito, su código es: { $code }. Adiós.
keypad = Le habla { $brand }. Marque las seis cifras que aparecen en su pantalla y pulse la tecla almohadilla.
keypad-right = Le habla { $brand }. Gracias, las cifras son correctas. Adiós.
keypad-wrong = Le habla { $brand }. Esas no son las cifras de su pantalla. Vuelva a empezar allí, por favor. Adiós.
keypad-late = Le habla { $brand }. Es demasiado tarde para esas cifras. Vuelva a empezar en su pantalla, por favor. Adiós.

email-subject = Su código de { $brand }
email-lead = Su código de { $brand } es
email-life = { $minutes ->
    [one] Vale una sola vez, durante un minuto.
   *[other] Vale una sola vez, durante { $minutes } minutos.
}
email-caution = Si no lo ha pedido, es posible que alguien conozca su contraseña: cámbiela y no dé este código a nadie.
link-subject = Confirme que es usted: { $brand }
link-lead = Abra este enlace para confirmar a { $brand } que es usted
link-or = O abra este enlace y confirme allí
link-button = Ver y confirmar
link-life = { $minutes ->
    [one] El enlace vale una sola vez, durante un minuto.
   *[other] El enlace vale una sola vez, durante { $minutes } minutos.
}
link-caution = Si no lo ha pedido, es posible que alguien conozca su contraseña: cámbiela. En la página del enlace puede decir que no fue usted.
both-life = { $minutes ->
    [one] Cualquiera de los dos vale una sola vez, durante un minuto.
   *[other] Cualquiera de los dos vale una sola vez, durante { $minutes } minutos.
}
both-caution = Si no lo ha pedido, es posible que alguien conozca su contraseña: cámbiela, no dé este código a nadie y no confirme nada.
warning-subject = Accesos a { $brand } que usted no aceptó
warning-lead = Alguien pide una y otra vez acceder a { $brand } en su nombre, y usted no lo aceptó. Por ahora no se envían más solicitudes a su teléfono.
warning-caution = Si no fue usted, alguien conoce su contraseña: cámbiela. No acepte ninguna solicitud que no haya hecho usted.
invitation-subject = Configure su acceso a { $brand }
invitation-lead = Se le invita a configurar un segundo paso para acceder a { $brand }. Se tarda dos minutos; tenga el teléfono a mano. Abra este enlace para empezar
invitation-button = Configurar ahora
invitation-life-hours = El enlace vale una sola vez, durante { $hours } horas.
invitation-life-days = El enlace vale una sola vez, durante { $days } días.
invitation-caution = El enlace es solo para usted: no lo pase a nadie, ni siquiera a quien le ofrezca ayuda. Si no lo esperaba, pregunte antes a su administrador.
added-subject = Nueva forma de acceder a { $brand }
added-lead = Se ha añadido una nueva forma de acceso a su cuenta de { $brand }
added-caution = Si fue usted, no tiene que hacer nada. Si no, otra persona puede acceder en su nombre: avise enseguida a su administrador y cambie su contraseña.
test-subject = Mensaje de prueba de { $brand }
test-lead = Este es un mensaje de prueba de { $brand }. No tiene que hacer nada.

push = ¿Está usted accediendo a { $brand }?
push-number = ¿Está usted accediendo a { $brand }? Escriba el número que ve allí.

# Páginas. { $brand }, { $who } y otros nombres se muestran separados del texto que los rodea.
page-foot = { $brand } pide un segundo factor para que nadie inicie sesión solo con su contraseña.
page-continue = Continuar
page-minutes-ago = { $minutes ->
    [0] ahora mismo ({ $clock })
    [one] hace un minuto ({ $clock })
   *[other] hace { $minutes } minutos ({ $clock })
}
page-minutes-left = { $minutes ->
    [one] durante un minuto más ({ $clock })
   *[other] durante { $minutes } minutos más ({ $clock })
}
page-link-title = ¿Es usted?
page-link-lead-login = Alguien está iniciando sesión como { $who }.
page-link-lead-enrolment = Alguien quiere usar este buzón para iniciar sesión como { $who }.
page-link-client = Dónde
page-link-account = Cuenta
page-link-from = Desde
page-link-device = Dispositivo
page-link-caller = Servidor
page-link-asked = Solicitado
page-link-until = Se puede confirmar
page-link-heed = Confirme solo lo que usted mismo acaba de empezar.
page-link-confirm = Sí, soy yo
page-link-deny = No, no soy yo
page-link-confirmed = Confirmado
page-link-go-back = Puede cerrar esta página y volver adonde empezó.
page-link-goes-on = Ahora se le lleva de vuelta.
page-link-disowned = Rechazado
page-link-disowned-lead = La solicitud se ha rechazado y no se ha confirmado nada.
page-link-disowned-advice = Si no la empezó usted, puede que alguien conozca su contraseña. Cámbiela.
page-link-over = Este enlace ya no sirve
page-link-over-lead = Ya se usó, caducó o uno más nuevo lo ha sustituido.
page-link-over-advice = Si acaba de confirmar, ya está: vuelva adonde empezó. Si no, empiece allí de nuevo y use el mensaje más reciente.
page-link-not-from-page = Esta respuesta no se ha tenido en cuenta
page-link-not-from-page-lead = Venía de otro sitio web, así que no se ha confirmado nada.
page-link-not-from-page-advice = Abra el enlace desde el propio mensaje y responda en la página que muestra.
page-enrol-title = Configure su segundo paso
page-enrol-lead = Su contraseña sola no basta para { $brand }. Elija cómo va a demostrar que es usted.
page-enrol-account = Cuenta
page-enrol-by = Invitación de
page-enrol-until = El enlace vale
page-enrol-hours-left = { $hours ->
    [one] durante una hora más ({ $clock })
   *[other] durante { $hours } horas más ({ $clock })
}
page-enrol-days-left = { $days ->
    [one] durante un día más ({ $clock })
   *[other] durante { $days } días más ({ $clock })
}
page-enrol-replaces = Sus dispositivos anteriores dejarán de servir cuando termine. Hasta entonces, nada cambia.
page-enrol-recommended = Recomendado
page-enrol-weaker = Menos seguro
page-enrol-totp = Aplicación de autenticación
page-enrol-totp-text = Una aplicación de su teléfono muestra un código nuevo cada 30 segundos, incluso sin conexión.
page-enrol-totp-begin = Usar una aplicación
page-enrol-push = Aviso en su teléfono
page-enrol-push-text = Su teléfono pregunta si es usted, y usted responde con un toque. Sin escribir códigos.
page-enrol-push-begin = Recibir avisos en mi teléfono
page-enrol-email = Correo electrónico
page-enrol-email-text = Recibe cada vez un código por correo. Es tan seguro como su buzón.
page-enrol-email-field = Dirección de correo
page-enrol-email-begin = Enviarme un código por correo
page-enrol-sms = SMS
page-enrol-sms-text = Recibe cada vez un código por SMS. Es la forma menos segura: otros pueden apoderarse de un número o leer sus mensajes.
page-enrol-sms-field = Número de móvil
page-enrol-sms-hint = Con el prefijo del país, por ejemplo +34 612 34 56 78.
page-enrol-sms-begin = Enviarme un código por SMS
page-enrol-known = Se envía a { $to }.
page-enrol-lost = Si pierde el teléfono, pida un enlace nuevo a su administrador.
page-enrol-help = Cómo contactar
page-enrol-app = Añada su cuenta a la aplicación
page-enrol-app-lead = Abra su aplicación de autenticación, elija añadir una cuenta y escanee esta imagen.
page-enrol-app-which = ¿Aún no tiene una? Cualquiera sirve, por ejemplo Google Authenticator, Microsoft Authenticator, Aegis o un gestor de contraseñas.
page-enrol-app-alt = Código QR para su aplicación de autenticación. Si no puede escanearlo, use el enlace o la clave que siguen.
page-enrol-app-open = Abrir en una aplicación de este teléfono
page-enrol-app-key = Escribir una clave en vez de escanear
page-enrol-app-issuer = Emisor
page-enrol-app-secret = Clave
page-enrol-app-once = La imagen y la clave se muestran una sola vez: deje esta página abierta hasta terminar.
page-enrol-app-code = Código que muestra la aplicación
page-enrol-app-code-hint = Cambia cada 30 segundos.
page-enrol-confirm = Confirmar
page-enrol-again = Empezar de nuevo
page-enrol-try = Escriba el código otra vez
page-enrol-try-lead = La cuenta { $who } de su aplicación sigue siendo la correcta.
page-enrol-try-advice = ¿No está en su aplicación? Empiece de nuevo para obtener otra imagen y borre lo que la aplicación tenga de esta cuenta.
page-enrol-wrong = Este código no es correcto. Escriba el que la aplicación muestra ahora.
page-enrol-wrong-sent = Este código no es correcto. Escriba el del mensaje más reciente.
page-enrol-used = Este código ya se usó. Espere al siguiente, 30 segundos como mucho.
page-enrol-clock-fast = { $minutes ->
    [one] El reloj de su teléfono va un minuto adelantado. Deje que ajuste la hora automáticamente y escriba después el código que muestra la aplicación.
   *[other] El reloj de su teléfono va { $minutes } minutos adelantado. Deje que ajuste la hora automáticamente y escriba después el código que muestra la aplicación.
}
page-enrol-clock-slow = { $minutes ->
    [one] El reloj de su teléfono va un minuto atrasado. Deje que ajuste la hora automáticamente y escriba después el código que muestra la aplicación.
   *[other] El reloj de su teléfono va { $minutes } minutos atrasado. Deje que ajuste la hora automáticamente y escriba después el código que muestra la aplicación.
}
page-enrol-locked = Demasiados códigos incorrectos
page-enrol-locked-lead = { $minutes ->
    [one] No se acepta ningún código durante un minuto. Después, abra de nuevo su enlace.
   *[other] No se acepta ningún código durante { $minutes } minutos. Después, abra de nuevo su enlace.
}
page-enrol-locked-help = Por ahora no se acepta ningún código para esta cuenta. Pida a su administrador que la desbloquee.
page-enrol-late = Ha pasado demasiado tiempo
page-enrol-late-lead = Lo que empezó ha caducado y no se ha cambiado nada. Empiece de nuevo: se tarda un minuto.
page-enrol-pair = Conecte su teléfono
page-enrol-pair-lead = Apunte a esta imagen con la cámara del teléfono y abra la página que encuentra.
page-enrol-pair-alt = Código QR con la dirección de la aplicación. Si no puede escanearlo, use el enlace o el código que siguen.
page-enrol-pair-open = En este teléfono: abrir la aplicación
page-enrol-pair-code = O escriba este código en la aplicación
page-enrol-pair-until = El código vale
page-enrol-waiting = Esperando a su teléfono
page-enrol-sent = Escriba el código
page-enrol-sent-sms = Hemos enviado un SMS al { $to }.
page-enrol-sent-email = Hemos enviado un correo a { $to }.
page-enrol-sent-code = Código del mensaje
page-enrol-resend = Enviar un código nuevo
page-enrol-resend-sms = ¿Aún no hay mensaje? Compruebe el número o pida un código nuevo.
page-enrol-resend-email = ¿Aún no hay mensaje? Mire también en el correo no deseado o pida un código nuevo.
page-enrol-resend-later = { $seconds ->
    [one] ¿Aún no hay mensaje? Podrá pedir un código nuevo dentro de un segundo.
   *[other] ¿Aún no hay mensaje? Podrá pedir un código nuevo dentro de { $seconds } segundos.
}
page-enrol-other-number = Usar otro número
page-enrol-other-address = Usar otra dirección
page-enrol-done = Todo listo
page-enrol-done-totp = A partir de ahora, después de la contraseña, escriba el código que muestra su aplicación.
page-enrol-done-push = A partir de ahora, después de la contraseña, responda al aviso en su teléfono.
page-enrol-done-email = A partir de ahora, después de la contraseña, escriba el código que le enviamos por correo.
page-enrol-done-sms = A partir de ahora, después de la contraseña, escriba el código que le enviamos por SMS.
page-enrol-done-replaced = Sus dispositivos anteriores se han eliminado y ya no sirven.
page-enrol-done-number = Un número de teléfono solo es poco seguro: otros pueden apoderarse de él, y sin cobertura no llega ningún código. Añada también una aplicación de autenticación.
page-enrol-done-spare = Con una segunda forma podrá entrar si esta se pierde o se estropea.
page-enrol-done-next = Añadir otra forma
page-enrol-done-next-until = { $minutes ->
    [one] Puede hacerlo aquí durante un minuto.
   *[other] Puede hacerlo aquí durante { $minutes } minutos.
}
page-enrol-done-close = Puede cerrar esta página.
page-enrol-over-advice = Si acaba de terminar, ya está. Si no, pida un enlace nuevo a su administrador.
page-enrol-not-from-page-lead = Venía de otro sitio web, así que no se ha configurado nada.
page-enrol-target-refused = No se puede enviar ningún mensaje ahí. Compruébelo o elija otra forma.
page-not-found = Aquí no hay nada
page-not-found-lead = Puede que la dirección esté incompleta. Cópiela entera o ábrala de nuevo desde el mensaje.
page-not-understood = No se ha entendido
page-not-understood-lead = El navegador ha enviado algo que esta página no envía. Vuelva atrás e inténtelo de nuevo.
page-too-many = Demasiadas solicitudes
page-too-many-lead = { $seconds ->
    [one] Inténtelo de nuevo dentro de un segundo.
   *[other] Inténtelo de nuevo dentro de { $seconds } segundos.
}
page-unavailable = No disponible por el momento
page-unavailable-lead = No se ha cambiado nada. Inténtelo de nuevo dentro de un minuto.
page-fault = Algo ha fallado
page-fault-lead = El fallo es nuestro. Inténtelo de nuevo; si continúa, dé el número de abajo a quienes gestionan este servicio.
page-fault-id = Número de la solicitud

# La aplicación en un teléfono. Su script pone $account y otros nombres.
page-app-title = Solicitudes de acceso
page-app-noscript = Esta aplicación necesita JavaScript. Actívelo para esta página y ábrala de nuevo.
page-app-starting = Un momento…
page-app-status-connecting = Conectando…
page-app-status-ready = Conectado. Las solicitudes nuevas aparecen aquí.
page-app-status-unpaired = Aún sin vincular
page-app-status-polling = El servicio está muy ocupado. La aplicación pregunta cada 5 segundos si hay solicitudes.
page-app-status-offline = Sin conexión. Intentando de nuevo…
page-app-status-busy = Demasiadas solicitudes. Nuevo intento en { $time }.
page-app-none = No hay nada pendiente
page-app-none-lead = Cuando inicie sesión, la solicitud aparecerá aquí.
page-app-accounts = Cuentas en este teléfono
page-app-add = Añadir una cuenta
page-app-history = Historial
page-app-removed = Eliminada
page-app-request = ¿Es usted?
page-app-request-lead = Alguien está iniciando sesión como { $account }.
page-app-heed = Acepte solo lo que usted mismo acaba de empezar.
page-app-digits = Número que ve al iniciar sesión
page-app-digits-hint = Tiene { $digits } cifras. Si no ve ningún número, rechace.
page-app-digits-older = Este número es de una pantalla anterior. Escriba el que se muestra ahora.
page-app-accept = Aceptar
page-app-deny = Rechazar
page-app-later = Ahora no
page-app-back = Volver
page-app-left = Quedan { $time }
page-app-not-sent = Su respuesta no se ha enviado. Compruebe la conexión e inténtelo de nuevo.
page-app-wait = Demasiados intentos. Espere { $time } e inténtelo de nuevo.
page-app-deny-title = ¿Empezó usted este acceso?
page-app-deny-lead = Se rechaza en cualquier caso.
page-app-report = No, no fui yo
page-app-report-hint = Esto da la alarma en { $issuer } y detiene las solicitudes durante 15 minutos.
page-app-mind = Sí, he cambiado de idea
page-app-accepted = Aceptado
page-app-accepted-lead = Vuelva adonde está iniciando sesión. Allí continúa por sí solo.
page-app-denied = Rechazado
page-app-denied-lead = El acceso se ha rechazado.
page-app-reported = Avisado
page-app-reported-lead = El acceso se ha rechazado y se ha dado la alarma. Durante 15 minutos no recibirá más solicitudes.
page-app-reported-advice = Puede que alguien conozca su contraseña. Cámbiela ahora.
page-app-wrong-number = Ese no era el número
page-app-wrong-number-lead = El acceso se ha rechazado.
page-app-wrong-number-advice = Si fue usted, empiece de nuevo y escriba el número que vea entonces.
page-app-over = Esta solicitud ha terminado
page-app-over-lead = Ya se respondió, una más nueva la ha sustituido o se acabó su tiempo. Aquí no se ha aceptado nada.
page-app-over-advice = Si todavía está esperando, inicie sesión de nuevo.
page-app-locked = Bloqueado por ahora
page-app-locked-lead = Su cuenta o este teléfono está bloqueado, así que su respuesta no se ha tenido en cuenta.
page-app-locked-advice = Inténtelo más tarde o pregunte al servicio de ayuda.
page-app-next = Solicitud siguiente
page-app-done = Listo
page-app-arrived = Nueva solicitud de acceso: { $client }
page-app-unnamed = Servicio sin nombre
page-app-welcome = Vincular este teléfono
page-app-welcome-lead = Después aceptará los accesos a { $brand } con un toque. La clave nunca sale de este teléfono.
page-app-code = Código de vinculación
page-app-code-hint = 8 letras y cifras
page-app-code-wrong = Un código de vinculación tiene 8 letras y cifras, como 7K2M 9QXR.
page-app-code-unknown = Este código no sirve. Los códigos valen una vez, durante unos minutos. Pida uno nuevo.
page-app-how = Dónde encontrar el código
page-app-how-set-up = En su ordenador, elija el teléfono como segundo factor.
page-app-how-scan = Escanee la imagen que aparece con la cámara de este teléfono.
page-app-how-type = O escriba aquí el código que se muestra debajo.
page-app-pair = ¿Vincular con { $issuer }?
page-app-pair-lead = Este teléfono aceptará accesos, con el código
page-app-pair-heed = Continúe solo si usted mismo ha pedido este código.
page-app-pair-yes = Vincular el teléfono
page-app-cancel = Cancelar
page-app-full = Este teléfono ya tiene ocho cuentas. Elimine antes una.
page-app-paired = El teléfono está vinculado
page-app-paired-lead = Desde ahora acepta o rechaza los accesos como { $account }.
page-app-not-mine = Esta no es mi cuenta
page-app-service = Servicio
page-app-paired-at = Vinculado
page-app-removed-lead = { $issuer } ya no acepta este teléfono. Para volver a usarlo, elimine aquí la cuenta y vincúlelo de nuevo.
page-app-remove = Eliminar de este teléfono
page-app-remove-title = ¿Eliminar { $account }?
page-app-remove-lead = Su clave en este teléfono se borra para siempre. Para iniciar sesión necesitará otro segundo factor.
page-app-remove-also = { $issuer } seguirá teniendo este teléfono en su lista hasta que se elimine también allí.
page-app-remove-yes = Eliminar
page-app-keep = Conservar
page-app-history-note = Las últimas 50 solicitudes. Se guardan solo en este teléfono.
page-app-history-none = Todavía nada
page-app-history-clear = Borrar el historial
page-app-outcome-accepted = Aceptada
page-app-outcome-denied = Rechazada
page-app-outcome-reported = Avisada
page-app-outcome-wrong-number = Número erróneo
page-app-outcome-over = Terminada
page-app-outcome-locked = Bloqueado
page-app-outcome-missed = Sin respuesta
page-app-notify = Notificaciones
page-app-notify-why = Este teléfono muestra una notificación cuando inicia sesión, aunque la aplicación esté cerrada. No dice nada personal.
page-app-notify-on = Activar las notificaciones
page-app-notify-is-on = Activadas. Las solicitudes le llegan con la aplicación cerrada.
page-app-notify-off = Desactivar las notificaciones
page-app-notify-denied = Las notificaciones están bloqueadas. Permítalas para esta aplicación en los ajustes del navegador o del teléfono y ábrala de nuevo.
page-app-notify-unsupported = Aquí no están disponibles. Deje esta aplicación abierta mientras inicia sesión.
page-app-notify-failed = No se han podido activar las notificaciones. Inténtelo más tarde.
page-app-install = Añada esta aplicación a la pantalla de inicio
page-app-install-lead = En iPhone y iPad solo hay notificaciones para las aplicaciones de la pantalla de inicio.
page-app-install-share = Toque «Compartir» en la barra del navegador.
page-app-install-add = Elija «Añadir a pantalla de inicio».
page-app-install-open = Abra { $brand } desde la pantalla de inicio y vincule allí el teléfono.
page-app-install-code = Si la aplicación pide un código, escriba este:
page-app-install-skip = Seguir en el navegador
page-app-install-how = Mostrarme cómo
page-app-install-now = Instalar esta aplicación
page-app-broken = Este navegador no sirve
page-app-broken-lead = No puede guardar una clave con seguridad. Use una ventana que no sea privada, en un navegador actual y por https.
page-app-ended = Una solicitud ha terminado
