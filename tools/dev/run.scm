; SPDX-License-Identifier: GPL-3.0-or-later
;
; run.scm: one photo through Filters > Fovea > Classify in GIMP's batch mode, for ./dev run. The script that run.py writes loads it.

(script-fu-use-v3)

; Layers that the filter added stay out of the JPEG copy, which is the photo itself with its tags, and in the XCF file.
(define (set-added-visible image before visible)
  (for-each
    (lambda (layer)
      (if (not (member layer before))
        (gimp-item-set-visible layer visible)))
    (vector->list (gimp-image-get-layers image))))

(define (write-file name text)
  (let ((port (open-output-file name)))
    (display text port)
    (close-output-port port)))

; The filter's answer goes to the file `answer`; where something fails it isn't written, and GIMP's message stands after this photo's in the log.
(define (name-photo number photo model copy xcf answer)
  (gimp-message (string-append "photo " (number->string number)))
  (catch #f
    (let* ((image (gimp-file-load RUN-NONINTERACTIVE photo))
           (before (vector->list (gimp-image-get-layers image)))
           (results (plug-in-fovea-classify #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (gimp-image-get-layers image)
                      #:model model #:region "image" #:write-tags #t #:attention-layer #t)))
      (set-added-visible image before #f)
      (file-jpeg-export #:run-mode RUN-NONINTERACTIVE #:image image #:file copy #:quality 0.92
                        #:include-xmp #t #:include-iptc #t #:include-exif #t)
      (set-added-visible image before #t)
      (gimp-file-save RUN-NONINTERACTIVE image xcf)
      (write-file answer (caddr results))
      (gimp-image-delete image))))
