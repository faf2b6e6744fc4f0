; SPDX-License-Identifier: GPL-3.0-or-later
;
; run.scm: one photo through Filters > Fovea > Classify, Locate and Segment in GIMP's batch mode, for ./dev run. The script that run.py writes loads it.

(script-fu-use-v3)

; The layers on top of the image that weren't there before.
(define (added-layers image before)
  (let loop ((layers (vector->list (gimp-image-get-layers image))) (added '()))
    (cond
      ((null? layers) (reverse added))
      ((member (car layers) before) (loop (cdr layers) added))
      (else (loop (cdr layers) (cons (car layers) added))))))

(define (set-visible layers visible)
  (for-each (lambda (layer) (gimp-item-set-visible layer visible)) layers))

(define (write-file name text)
  (let ((port (open-output-file name)))
    (display text port)
    (close-output-port port)))

(define (all-layers image) (vector->list (gimp-image-get-layers image)))

; What the last error said. GIMP's Script-Fu tells it to *error-hook* alone, before `catch` gets to work.
(define last-error "")
(set! *error-hook* (lambda words (set! last-error (car words)) (apply throw words)))

; The filters' answers go to the file `answer`; where something fails, its message goes to the file `answer`.error instead.
; Four files are left: stem.jpg, the photo with its names as tags; stem-boxes.jpg; stem-cut-out.png; stem.xcf with all layers.
(define (look-at-photo photo stem answer)
  (catch (write-file (string-append answer ".error") last-error)
    (let* ((image (gimp-file-load RUN-NONINTERACTIVE photo))
           (photos (gimp-image-get-layers image))
           (before (all-layers image))
           (named (plug-in-fovea-classify #:run-mode RUN-NONINTERACTIVE #:image image #:drawables photos
                    #:region "image" #:write-tags #t #:attention-layer #t))
           (attention (added-layers image before)))
      (set-visible attention #f)
      (file-jpeg-export #:run-mode RUN-NONINTERACTIVE #:image image #:file (string-append stem ".jpg") #:quality 0.92
                        #:include-xmp #t #:include-iptc #t #:include-exif #t)
      (let* ((located (plug-in-fovea-locate #:run-mode RUN-NONINTERACTIVE #:image image #:drawables photos #:region "image" #:output "overlay"))
             (boxes (added-layers image (append before attention))))
        (file-jpeg-export #:run-mode RUN-NONINTERACTIVE #:image image #:file (string-append stem "-boxes.jpg") #:quality 0.92)
        (let* ((known (append before attention boxes))
               (cut (plug-in-fovea-segment #:run-mode RUN-NONINTERACTIVE #:image image #:drawables photos #:region "image" #:output "cut-out"))
               (cut-out (added-layers image known)))
          (set-visible known #f)
          (file-png-export #:run-mode RUN-NONINTERACTIVE #:image image #:file (string-append stem "-cut-out.png") #:compression 6)
          (set-visible cut-out #f)
          (set-visible (append before boxes) #t)
          (gimp-file-save RUN-NONINTERACTIVE image (string-append stem ".xcf"))
          (write-file answer (string-append "{\"classify\": " (list-ref named 2) ", \"locate\": " (list-ref located 3) ", \"segment\": " (list-ref cut 2) "}"))
          (gimp-image-delete image))))))
