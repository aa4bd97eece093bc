"""The decision on a request as a letter (答复书): its contents once, in Word and as PDF."""
