sms = { $code } es su clave de { $brand }. Vale durante { $minutes } min. No la comparta con nadie.
warning-sms = { $brand }: demasiadas solicitudes de acceso sin aceptar por usted. Si no son suyas, cambie su contraseña.
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
